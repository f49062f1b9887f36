DROP INDEX purchase_open;
