.tables
select 1;