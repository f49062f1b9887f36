ALTER DATABASE reports SET default_tablespace TO '';
