-- Money moves by this function only.
-- +goose Up
-- +goose StatementBegin
CREATE FUNCTION transfer(source bigint, target bigint, amount numeric) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE account SET balance = balance - amount WHERE id = source;
    UPDATE account SET balance = balance + amount WHERE id = target;
END;
$$;
-- +goose StatementEnd

-- +goose Down
DROP FUNCTION transfer(bigint, bigint, numeric);
