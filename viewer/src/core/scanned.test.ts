import { expect, test } from "vitest";

import { isInsCode, isSeparator } from "./scanned";

test("the keys that a reader presses for a separator", () => {
  expect(isSeparator({ ctrlKey: true, key: "]", code: "" })).toBe(true);
  expect(isSeparator({ ctrlKey: true, key: "$", code: "BracketRight" })).toBe(true);
  expect(isSeparator({ ctrlKey: false, key: "\u001d", code: "" })).toBe(true);
  expect(isSeparator({ ctrlKey: false, key: "]", code: "BracketRight" })).toBe(false);
});

test("a patient's code is told from a slide's", () => {
  expect(isInsCode(`IS01${"0".repeat(22)}S1279035121518989`)).toBe(true);
  expect(isInsCode(` ]d1IS01${"0".repeat(22)}`)).toBe(true);
  expect(isInsCode("26P00123.A.01.01")).toBe(false);
  expect(isInsCode("IS0100")).toBe(false);
});
