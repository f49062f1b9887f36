INSERT INTO book (isbn, title, pages) VALUES
    ('9780262510875', 'Structure and Interpretation of Computer Programs', 657),
    ('9780131103627', 'The C Programming Language; second edition', 272);
