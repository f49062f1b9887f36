DROP OWNED BY intern;
