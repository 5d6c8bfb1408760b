/** A port -> the store that usually listens there, which speaks a protocol of its own, and not HTTP. Pure. */

/** `word`: for a name. `protocol`: for a person. */
export type Store = { word: string; protocol: string };

/** The ports that their documentation says, where neither a command line nor an image tells. */
export const storePorts: ReadonlyMap<number, Store> = new Map([
  [1433, { word: "mssql", protocol: "SQL Server" }],
  [1883, { word: "mqtt", protocol: "MQTT" }],
  [3306, { word: "mysql", protocol: "MySQL" }],
  [4222, { word: "nats", protocol: "NATS" }],
  [5432, { word: "postgres", protocol: "PostgreSQL" }],
  [5672, { word: "rabbitmq", protocol: "AMQP" }],
  [6379, { word: "redis", protocol: "Redis" }],
  [9042, { word: "cassandra", protocol: "CQL" }],
  [9092, { word: "kafka", protocol: "Kafka" }],
  [11_211, { word: "memcached", protocol: "memcached" }],
  [27_017, { word: "mongo", protocol: "MongoDB" }],
]);
