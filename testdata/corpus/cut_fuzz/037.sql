 
	-- nothing
/* at ; all */