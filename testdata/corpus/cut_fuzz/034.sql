\restrict 'x
select 1;