import { describe, expect, it } from "vitest";

import { delimitersOf, piecesOf, takeApart } from "./rawMessage";

const MESSAGE = "MSH|^~\\&|SGL|LAB\rPID|1||42^^^LAB&1.2&ISO^PI\r";

describe("a message", () => {
  it("counts the fields of its header as the standard does", () => {
    const header = takeApart(MESSAGE).segments[0];
    expect(header?.fields).toEqual([
      { path: "MSH-1", value: "|" },
      { path: "MSH-2", value: "^~\\&" },
      { path: "MSH-3", value: "SGL" },
      { path: "MSH-4", value: "LAB" },
    ]);
  });

  it("leaves empty fields out and keeps the others' numbers", () => {
    const patient = takeApart(MESSAGE).segments[1];
    expect(patient?.fields.map((field) => field.path)).toEqual(["PID-1", "PID-3"]);
    expect(patient?.text).toBe("PID|1||42^^^LAB&1.2&ISO^PI");
  });

  it("is read at every end of line", () => {
    for (const end of ["\r", "\n", "\r\n"]) {
      expect(takeApart(MESSAGE.replaceAll("\r", end)).segments).toHaveLength(2);
    }
  });

  it("is shown whatever it is", () => {
    expect(takeApart("").segments).toEqual([]);
    expect(takeApart("hello").segments).toEqual([{ name: "hello", fields: [], text: "hello" }]);
    expect(takeApart("A\r".repeat(900)).truncated).toBe(true);
    expect(takeApart("MSH#^~\\&#SGL").segments[0]?.fields[2]?.path).toBe("MSH-3");
  });
});

describe("delimiters", () => {
  it("stand out, and nothing is lost", () => {
    const value = "42^^^LAB&1.2&ISO^PI";
    const pieces = piecesOf(value);
    expect(pieces.map((piece) => piece.text).join("")).toBe(value);
    expect(pieces.filter((piece) => piece.delimiter)).toHaveLength(6);
    expect(piecesOf("")).toEqual([]);
  });

  it("are those that the message declares", () => {
    expect(delimitersOf(takeApart(MESSAGE))).toBe("^~&");
    expect(delimitersOf(takeApart("MSH|*!\\%|SGL"))).toBe("*!%");
    expect(delimitersOf(takeApart("nothing"))).toBe("^~&");
  });
});
