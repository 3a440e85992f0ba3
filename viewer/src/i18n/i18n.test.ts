import { describe, expect, it } from "vitest";

import en from "./en.json";
import fr from "./fr.json";

type Tree = { readonly [key: string]: string | Tree };

function flatten(tree: Tree, prefix = ""): Map<string, string> {
  const found = new Map<string, string>();
  for (const [key, value] of Object.entries(tree)) {
    if (typeof value === "string") found.set(prefix + key, value);
    else for (const [inner, text] of flatten(value, `${prefix}${key}.`)) found.set(inner, text);
  }
  return found;
}

const french = flatten(fr);
const english = flatten(en);
const placeholders = (text: string) => (text.match(/\{\{\w+\}\}/g) ?? []).sort();

describe("translations", () => {
  it("have the same keys", () => {
    expect([...french.keys()].sort()).toEqual([...english.keys()].sort());
  });

  it("leave nothing empty and fill in the same values", () => {
    for (const [key, text] of french) {
      expect(text.trim(), key).not.toBe("");
      expect(placeholders(text), key).toEqual(placeholders(english.get(key) ?? ""));
    }
  });

  it("hold French punctuation to its word", () => {
    for (const [key, text] of french) {
      expect(text, key).not.toMatch(/ [:;!?»]|« /);
      expect(text, key).not.toMatch(/[^\s\u00a0\u202f\d}][;!?»]/);
      expect(text, key).not.toContain("'");
    }
  });
});
