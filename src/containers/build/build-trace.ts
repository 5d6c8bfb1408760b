/** A piece of BuildKit's account of a build -> the steps that began or failed, and output. Protocol buffers. Pure. */

export type Trace = {
  /** `[2/5] RUN make`, for each step that has begun or ended. */
  steps: readonly TraceStep[];
  /** Output of steps, as it came. */
  output: readonly Uint8Array[];
};

export type TraceStep = {
  digest: string;
  name: string;
  isCached: boolean;
  hasBegun: boolean;
  /** Empty: none. */
  error: string;
};

/** Numbers of fields in moby/buildkit, api/services/control/control.proto: StatusResponse, Vertex, VertexLog. */
const response = { vertexes: 1, logs: 3 } as const;
const vertex = { digest: 1, name: 3, cached: 4, started: 5, error: 7 } as const;
const log = { message: 4 } as const;

type Field = { number: number; bytes: Uint8Array; value: number };

/** Nothing where the bytes are no such account: then only the answer's end counts. */
export function traceIn(bytes: Uint8Array): Trace {
  const fields = fieldsIn(bytes) ?? [];
  const all = (number: number): Uint8Array[] =>
    fields.filter((its) => its.number === number).map((its) => its.bytes);
  return {
    steps: all(response.vertexes).flatMap((its) => stepIn(its) ?? []),
    output: all(response.logs).flatMap((its) => {
      const message = fieldsIn(its)?.find(({ number }) => number === log.message);
      return message === undefined ? [] : [message.bytes];
    }),
  };
}

function stepIn(bytes: Uint8Array): TraceStep | undefined {
  const fields = fieldsIn(bytes);
  if (fields === undefined) return undefined;
  const its = (number: number) => fields.find((field) => field.number === number);
  const text = (number: number) => new TextDecoder().decode(its(number)?.bytes);
  return {
    digest: text(vertex.digest),
    name: text(vertex.name),
    isCached: its(vertex.cached)?.value === 1,
    hasBegun: its(vertex.started) !== undefined,
    error: text(vertex.error),
  };
}

const none = new Uint8Array(0);

/** Undefined: they are cut off, or no message. */
function fieldsIn(bytes: Uint8Array): Field[] | undefined {
  const fields: Field[] = [];
  let at = 0;
  const varint = (): number | undefined => {
    let value = 0;
    for (let weight = 1; at < bytes.length && weight <= 2 ** 63; weight *= 128) {
      const byte = bytes[at++]!;
      value += (byte & 127) * weight;
      if (byte < 128) return value;
    }
    return undefined;
  };
  while (at < bytes.length) {
    const key = varint();
    if (key === undefined) return undefined;
    const number = Math.floor(key / 8);
    const form = key % 8;
    if (form === 0) {
      const value = varint();
      if (value === undefined) return undefined;
      fields.push({ number, bytes: none, value });
      continue;
    }
    const length = form === 2 ? varint() : form === 1 ? 8 : form === 5 ? 4 : undefined;
    if (length === undefined || at + length > bytes.length) return undefined;
    fields.push({ number, bytes: bytes.subarray(at, at + length), value: 0 });
    at += length;
  }
  return fields;
}
