CREATE UNIQUE INDEX `person_name_unique` ON `person` (`name`);
