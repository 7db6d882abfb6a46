-- Runs once, when the database is made. The service is no superuser: who takes it over has its tables,
-- and not the server. `postgres`, who is one, can log in from within the container only.
\getenv password POSTGRES_PASSWORD
CREATE ROLE aegis LOGIN PASSWORD :'password';
CREATE DATABASE aegis_db OWNER aegis;
ALTER ROLE postgres PASSWORD NULL;
