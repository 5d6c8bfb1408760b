/** Cases of the field's suites that we do not pass on purpose -> the reason, by the suite and the case. */

export const reasons: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  http11probe: {
    "MAL-NON-ASCII-URL":
      "curl and scripts send a target as it was typed: well-formed UTF-8 is forwarded percent-encoded, as browsers " +
      "send it; ill-formed UTF-8 is refused",
  },
};
