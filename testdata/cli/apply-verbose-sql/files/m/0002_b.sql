CREATE ROLE verbose_role PASSWORD 'hunter2'; SELECT nowhere;
