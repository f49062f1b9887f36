CREATE VIEW all_plans AS SELECT id, name FROM plans;
