/** All cases of the request corpus. */
import { fieldCases } from "./request-fields.ts";
import { framingCases } from "./request-framing.ts";
import { lineCases } from "./request-lines.ts";
import type { RequestCase } from "./request-case.ts";

export const requestCases: readonly RequestCase[] = [...framingCases, ...lineCases, ...fieldCases];
