import { describe, expect, it } from "vitest";

import { changesSinceSignOut, dueOf, formatClock, formatCount, formatSpan, mayDo, sidesOf, stepRow } from "./cases";

const at = (text: string): number => Date.parse(text);
const RECEIVED = "2026-11-20T08:00:00Z";
const DUE = "2026-11-24T08:00:00Z";

describe("due time", () => {
  it("comes near in the last quarter of the time given", () => {
    expect(dueOf("ready", RECEIVED, DUE, at("2026-11-22T08:00:00Z"))?.tone).toBe("later");
    expect(dueOf("ready", RECEIVED, DUE, at("2026-11-23T08:00:00Z"))?.tone).toBe("soon");
    expect(dueOf("ready", null, DUE, at("2026-11-24T07:30:00Z"))).toEqual({
      tone: "soon",
      minutes: 30,
    });
  });

  it("is late the moment after, and not before", () => {
    expect(dueOf("reading", RECEIVED, DUE, at(DUE))?.tone).toBe("soon");
    expect(dueOf("reading", RECEIVED, DUE, at(DUE) + 120_000)).toEqual({ tone: "late", minutes: 2 });
  });

  it("no longer counts for a case that is done", () => {
    expect(dueOf("signed_out", RECEIVED, DUE, at(DUE) + 1)).toBeNull();
    expect(dueOf("cancelled", RECEIVED, DUE, at(DUE) + 1)).toBeNull();
    expect(dueOf("ready", RECEIVED, null, 0)).toBeNull();
    expect(dueOf("ready", RECEIVED, "soon", 0)).toBeNull();
  });
});

describe("time in words", () => {
  const plain = (minutes: number, language: "fr" | "en" = "fr") =>
    formatSpan(minutes, language).replaceAll("\u00a0", " ");

  it("has two units at most", () => {
    expect(plain(25)).toBe("25 min");
    expect(plain(120)).toBe("2 h");
    expect(plain(185)).toBe("3 h 05");
    expect(plain(4 * 1440 + 360)).toBe("4 j 6 h");
    expect(plain(12 * 1440 + 360, "en")).toBe("12 d");
  });

  it("runs for a frozen section", () => {
    const now = at("2026-11-22T09:07:42Z");
    expect(formatClock("2026-11-22T09:00:00Z", now)).toBe("07:42");
    expect(formatClock("2026-11-22T08:00:00Z", now)).toBe("1:07:42");
    expect(formatClock("2026-11-22T10:00:00Z", now)).toBe("00:00");
    expect(formatClock("yesterday", now)).toBeNull();
  });
});

describe("lists", () => {
  it("say where counting stopped", () => {
    expect(formatCount(12, false, "en")).toBe("12");
    expect(formatCount(1000, true, "en")).toBe("1,000+");
  });

  it("are walked with two keys, and hold at their ends", () => {
    expect(stepRow(-1, 1, 3)).toBe(0);
    expect(stepRow(-1, -1, 3)).toBe(2);
    expect(stepRow(2, 1, 3)).toBe(2);
    expect(stepRow(0, -1, 3)).toBe(0);
    expect(stepRow(0, 1, 0)).toBe(-1);
  });

  it("know the slides beside one", () => {
    expect(sidesOf(["a", "b", "c"], "b")).toEqual({ before: "a", after: "c", place: 2, count: 3 });
    expect(sidesOf(["a"], "a")).toEqual({ before: null, after: null, place: 1, count: 1 });
    expect(sidesOf(["a", "b"], "x")).toEqual({ before: null, after: null, place: null, count: 2 });
  });
});

it("a case is signed out once, and only then reopened", () => {
  expect(mayDo("ready", "begin")).toBe(true);
  expect(mayDo("reading", "begin")).toBe(false);
  expect(mayDo("received", "sign_out")).toBe(false);
  expect(mayDo("reading", "sign_out")).toBe(true);
  expect(mayDo("signed_out", "sign_out")).toBe(false);
  expect(mayDo("signed_out", "reopen")).toBe(true);
  expect(mayDo("cancelled", "reopen")).toBe(false);
});

describe("what changed after sign-out", () => {
  const history = [
    { kind: "scan_attached", after: null },
    { kind: "state", after: "signed_out" },
    { kind: "scan_detached", after: null },
    { kind: "scan_destroyed", after: "a certificate" },
    { kind: "report", after: "final" },
  ];

  it("is counted from the last sign-out", () => {
    expect(changesSinceSignOut({ state: "signed_out", history })).toBe(2);
    const again = [...history, { kind: "state", after: "signed_out" }];
    expect(changesSinceSignOut({ state: "signed_out", history: again })).toBe(0);
  });

  it("is nothing of a case that is open", () => {
    expect(changesSinceSignOut({ state: "reading", history })).toBe(0);
  });
});
