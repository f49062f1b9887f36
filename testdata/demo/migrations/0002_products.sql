CREATE TABLE product (
    id INTEGER PRIMARY KEY,
    sku TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    price_cents INTEGER NOT NULL CHECK (price_cents >= 0),
    in_stock INTEGER NOT NULL DEFAULT 0
);

INSERT INTO product (sku, title, price_cents, in_stock) VALUES
    ('TEA-01', 'Darjeeling; first flush', 1290, 40),
    ('TEA-02', 'Assam', 890, 120),
    ('POT-01', 'Cast-iron pot', 5900, 7);
