\restrict abc123
select 1;
\unrestrict abc123
