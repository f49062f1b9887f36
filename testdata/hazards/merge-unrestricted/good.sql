UPDATE stock SET n = counted.n FROM counted WHERE counted.id = stock.id AND stock.id BETWEEN 1 AND 5000;
