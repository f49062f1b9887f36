CREATE VIRTUAL TABLE places USING not_here (x);
