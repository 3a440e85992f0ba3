import { expect, test } from "vitest";

import { isSeparator } from "./scanned";

test("the keys that a reader presses for a separator", () => {
  expect(isSeparator({ ctrlKey: true, key: "]", code: "" })).toBe(true);
  expect(isSeparator({ ctrlKey: true, key: "$", code: "BracketRight" })).toBe(true);
  expect(isSeparator({ ctrlKey: false, key: "\u001d", code: "" })).toBe(true);
  expect(isSeparator({ ctrlKey: false, key: "]", code: "BracketRight" })).toBe(false);
});
