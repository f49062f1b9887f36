ALTER TABLE t ALTER "Full Name" TYPE char(7) COLLATE "C" USING left("Full Name", 7);
