CREATE VIEW all_plans AS SELECT * FROM plans;
