/** Values of stores that a file leaves open, and the names of their users: for those that read no file. Pure. */

/** The major version of PostgreSQL where a file has none. */
export const usualMajor = 17;

/** The database of those that make one, where the file names none. */
export const usualDatabase = "app";

/** The user who may do everything, in the stores that have users. */
export const storeUser = {
  redis: "default",
  valkey: "default",
  mysql: "root",
  mariadb: "root",
  mongodb: "root",
  minio: "localhostess",
} as const;
