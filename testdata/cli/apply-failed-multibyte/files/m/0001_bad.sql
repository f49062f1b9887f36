SELECT '日本語', 'é', wrong_column;
