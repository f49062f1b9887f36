MERGE INTO stock USING counted ON stock.id = counted.id WHEN MATCHED THEN UPDATE SET n = counted.n;
