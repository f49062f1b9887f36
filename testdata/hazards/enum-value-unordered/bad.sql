ALTER TYPE size ADD VALUE 'medium';
