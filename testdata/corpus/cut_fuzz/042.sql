-- a; b
select 1 /* ; */ -- ;
;--> statement-breakpoint
select 2