ALTER TABLE `chore` ADD `due_on` text;--> statement-breakpoint
CREATE INDEX `chore_due_idx` ON `chore` (`due_on`);
