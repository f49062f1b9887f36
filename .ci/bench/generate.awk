# A generated project for .ci/bench/plan.sh: each file makes a table and works on it and on tables made before.
#   awk -f generate.awk -v files=N -v form=files -v dir=DIR    N files of ten statements each, DIR/00001_step.sql and on
#   awk -f generate.awk -v files=N -v form=text                the same text in one piece, to standard output
#   awk -f generate.awk -v files=N -v form=schema              N tables with keys and indexes, as pg_dump -s has them
function write(text) { printf "%s", text > out }

# The tenth statement: what projects have less of, a different one in each file.
function seldom(n, near, far) {
    if (n % 8 == 0)
        return sprintf("CREATE FUNCTION touch_%d() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN\n" \
            "    NEW.updated_at := now();\n    IF NEW.status IS NULL THEN\n        NEW.status := 'open';\n    END IF;\n" \
            "    RETURN NEW;\nEND\n$$;\n", n)
    if (n % 8 == 1)
        return sprintf("CREATE VIEW recent_%d AS\n    SELECT o.id, o.name, p.total FROM account_%d o JOIN account_%d p ON p.id = o.parent_id" \
            " WHERE o.created_at > now() - interval '30 days';\n", n, n, near)
    if (n % 8 == 2) return sprintf("ALTER TABLE account_%d ALTER COLUMN note TYPE varchar(200);\n", far)
    if (n % 8 == 3) return sprintf("ALTER TABLE account_%d RENAME COLUMN note TO remark_%d;\n", n, n)
    if (n % 8 == 4) return sprintf("ALTER TABLE account_%d DROP COLUMN note;\n", n)
    if (n % 8 == 5) return sprintf("CREATE TYPE kind_%d AS ENUM ('new', 'paid', 'sent', 'lost');\n", n)
    if (n % 8 == 6) return sprintf("GRANT SELECT, INSERT ON account_%d TO PUBLIC;\n", far)
    return sprintf("DELETE FROM account_%d WHERE status = 'void' AND created_at < '2020-01-01';\n", far)
}

function step(n,    near, far) {
    near = n > 1 ? n - 1 : 1
    far = n > 20 ? n - 1 - n % 17 : 1
    write(sprintf("-- step number %d of a generated project\nCREATE TABLE account_%d (\n    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,\n" \
        "    parent_id bigint REFERENCES account_%d (id),\n    name text NOT NULL,\n    email text,\n    note text,\n" \
        "    status text NOT NULL DEFAULT 'open',\n    total numeric(12, 2) NOT NULL DEFAULT 0,\n" \
        "    created_at timestamptz NOT NULL DEFAULT now(),\n    updated_at timestamptz\n);\n", n, n, near))
    write(sprintf("CREATE INDEX account_%d_parent ON account_%d (parent_id);\n", n, n))
    write(sprintf("ALTER TABLE account_%d ADD COLUMN extra_%d integer;\n", far, n))
    write(sprintf("ALTER TABLE account_%d ADD CONSTRAINT total_%d CHECK (total >= 0) NOT VALID;\n", near, n))
    write(sprintf("CREATE UNIQUE INDEX account_%d_email_%d ON account_%d (lower(email)) WHERE email IS NOT NULL;\n", far, n, far))
    write(sprintf("INSERT INTO account_%d (name, email, total) VALUES ('Ada', 'ada@example.org', 10.5), ('Brian', NULL, 7);\n", n))
    write(sprintf("UPDATE account_%d SET status = 'paid', updated_at = now() WHERE total > %d AND status = 'open';\n", far, n % 1000))
    write(sprintf("COMMENT ON TABLE account_%d IS 'made by step %d';\n", n, n))
    write(sprintf("ALTER TABLE account_%d ALTER COLUMN status SET DEFAULT 'new';\n", near))
    write(seldom(n, near, far))
}

function table(n,    near) {
    near = n > 1 ? n - 1 : 1
    write(sprintf("CREATE TABLE public.part_%d (\n    id bigint NOT NULL,\n    owner_id bigint,\n    name text NOT NULL,\n" \
        "    state character varying(20) DEFAULT 'open'::character varying NOT NULL,\n    amount numeric(12,2) DEFAULT 0 NOT NULL,\n" \
        "    data jsonb,\n    created_at timestamp with time zone DEFAULT now() NOT NULL,\n    updated_at timestamp with time zone,\n" \
        "    CONSTRAINT part_%d_amount_check CHECK ((amount >= (0)::numeric))\n);\n", n, n))
    write(sprintf("CREATE SEQUENCE public.part_%d_id_seq START WITH 1 INCREMENT BY 1 NO MINVALUE NO MAXVALUE CACHE 1;\n", n))
    write(sprintf("ALTER SEQUENCE public.part_%d_id_seq OWNED BY public.part_%d.id;\n", n, n))
    write(sprintf("ALTER TABLE ONLY public.part_%d ALTER COLUMN id SET DEFAULT nextval('public.part_%d_id_seq'::regclass);\n", n, n))
    write(sprintf("ALTER TABLE ONLY public.part_%d ADD CONSTRAINT part_%d_pkey PRIMARY KEY (id);\n", n, n))
    write(sprintf("CREATE INDEX part_%d_owner ON public.part_%d USING btree (owner_id);\n", n, n))
    write(sprintf("CREATE INDEX part_%d_created ON public.part_%d USING btree (created_at);\n", n, n))
    write(sprintf("ALTER TABLE ONLY public.part_%d ADD CONSTRAINT part_%d_owner_fkey FOREIGN KEY (owner_id) REFERENCES public.part_%d(id);\n",
        n, n, near))
}

BEGIN {
    out = "/dev/stdout"
    for (i = 1; i <= files; i++) {
        if (form == "files") {
            if (i > 1) close(out)
            out = sprintf("%s/%05d_step.sql", dir, i)
        }
        if (form == "schema") table(i)
        else step(i)
    }
}
