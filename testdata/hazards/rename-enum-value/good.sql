ALTER TYPE mood ADD VALUE 'poor';
