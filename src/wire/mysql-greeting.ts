/** The first packet of a MySQL or MariaDB server -> whether it takes logins. Pure. Their "Protocol::Handshake". */
import { latin1 } from "./bytes.ts";
import { bad, more } from "./parsed.ts";
import { notYet, serves, type StoreQuestion } from "./store-answer.ts";

/** Three bytes of length, least first, and one of sequence. */
const headLength = 4;
/** Bytes of a payload: greetings have some hundred, the words of an error 512. */
const longest = 4096;

const protocol10 = 0x0a;
const errorPacket = 0xff;
/** `#` and five characters of SQLSTATE may stand in front of the words. */
const stateMark = 0x23;
const stateLength = 6;

const notMysql = "its first packet is not MySQL's protocol";

/** The server speaks first, once it is there for logins. */
export const mysqlQuestion: StoreQuestion = {
  hello: undefined,
  answer(bytes) {
    if (bytes.length < 3) return more;
    const length = bytes[0]! | (bytes[1]! << 8) | (bytes[2]! << 16);
    if (length < 3 || length > longest) return bad(502, notMysql);
    if (bytes.length <= headLength) return more;
    const kind = bytes[headLength];
    if (bytes[3] !== 0 || (kind !== protocol10 && kind !== errorPacket)) return bad(502, notMysql);
    const end = headLength + length;
    if (bytes.length < end) return more;
    if (kind === protocol10) return { kind: "done", value: serves, end };
    const code = headLength + 3;
    const start = bytes[code] === stateMark ? Math.min(code + stateLength, end) : code;
    return { kind: "done", value: notYet(latin1(bytes, start, end)), end };
  },
};
