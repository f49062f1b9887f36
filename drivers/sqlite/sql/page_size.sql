-- Bytes of a page.
PRAGMA main.page_size
