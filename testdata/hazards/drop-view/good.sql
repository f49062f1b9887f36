CREATE OR REPLACE VIEW open_orders AS SELECT id, paid FROM orders WHERE paid IS NOT TRUE;
