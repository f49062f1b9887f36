CREATE TABLE reg (id integer, region text) PARTITION BY LIST (region);
CREATE TABLE reg_eu PARTITION OF reg FOR VALUES IN ('de', 'fr');
CREATE TABLE reg_us PARTITION OF reg FOR VALUES IN ('us', NULL);
CREATE TABLE reg_other PARTITION OF reg DEFAULT PARTITION BY RANGE (id);
CREATE TABLE reg_other_low PARTITION OF reg_other FOR VALUES FROM (0) TO (100);
CREATE TABLE reg_other_high PARTITION OF reg_other FOR VALUES FROM (100) TO (MAXVALUE);
INSERT INTO reg SELECT g, (ARRAY['de','fr','us','jp'])[g % 4 + 1] FROM generate_series(1, 300) g;
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;

-- migration
CREATE TRIGGER s AFTER UPDATE OF id ON reg FOR EACH ROW WHEN (NEW.id > 3) EXECUTE FUNCTION stamp();
