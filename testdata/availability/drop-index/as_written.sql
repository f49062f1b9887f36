DROP INDEX accounts_region;
