import { describe, expect, it } from "vitest";

import {
  fitsAll,
  giverOf,
  givenTo,
  inTime,
  isSound,
  isTarget,
  isWhole,
  moved,
  NEW_RULE,
  problemsOf,
  sameRules,
  trimmed,
  typed,
  type SglLink,
} from "./work";

const link = (part: Partial<SglLink>): SglLink => ({
  name: "sgl",
  method: "GET",
  url: "https://sgl.chu.fr/cases/{accession}",
  field: "",
  ...part,
});
const problem = (part: Partial<SglLink>) => problemsOf(link(part), ["archive"]);

describe("rules of assignment", () => {
  it("give to somebody", () => {
    expect(isWhole(NEW_RULE)).toBe(false);
    expect(isWhole({ ...NEW_RULE, account: "a" })).toBe(true);
    expect(isWhole({ ...NEW_RULE, account: "a", group: "g" })).toBe(false);
  });

  it("say to whom in one word and back", () => {
    const rotating = { ...NEW_RULE, group: "g", rotate: true };
    expect(giverOf(NEW_RULE)).toBeNull();
    expect(givenTo(rotating, giverOf(rotating))).toEqual(rotating);
    expect(givenTo(rotating, "account a")).toEqual({ ...NEW_RULE, account: "a" });
    expect(givenTo(rotating, null)).toEqual(NEW_RULE);
  });

  it("hide what is below where they fit everything", () => {
    expect(fitsAll({ ...NEW_RULE, group: "g" })).toBe(true);
    expect(fitsAll({ ...NEW_RULE, extemporane: false })).toBe(false);
  });

  it("are the same whatever the spaces and the order of keys", () => {
    const typedIn = { ...NEW_RULE, organ: typed(" Sein "), account: "a" };
    const kept = Object.assign({ rotate: false }, trimmed(typedIn));
    expect(kept.organ).toBe("Sein");
    expect(typed("  ")).toBeNull();
    expect(sameRules([typedIn], [kept])).toBe(true);
    expect(sameRules([typedIn], [])).toBe(false);
  });

  it("change places", () => {
    expect(moved([1, 2, 3], 0, 1)).toEqual([2, 1, 3]);
    expect(moved([1, 2, 3], 2, -1)).toEqual([1, 3, 2]);
    expect(moved([1, 2], 1, 1)).toEqual([1, 2]);
    expect(moved([1, 2], 0, -1)).toEqual([1, 2]);
  });
});

describe("targets", () => {
  it("are some hours", () => {
    expect([null, 0, 0.1, -1, 10_001].some(isTarget)).toBe(false);
    expect([0.25, 10_000].every(isTarget)).toBe(true);
  });

  it("are never told as kept when one was not", () => {
    expect(inTime(0, 0)).toBeNull();
    expect(inTime(1000, 999)).toBe(99);
    expect(inTime(3, 3)).toBe(100);
  });
});

describe("links to the laboratory's system", () => {
  it("are kept when they are sound", () => {
    expect(isSound(problem({}))).toBe(true);
    expect(isSound(problem({ url: "http://sgl:8080/?n={accession}&x=1" }))).toBe(true);
    expect(
      isSound(problem({ method: "POST", url: "https://sgl.chu.fr/open", field: "number" })),
    ).toBe(true);
  });

  it("say which field is wrong", () => {
    expect(problem({ name: "Le SGL" }).name).toBe("name");
    expect(problem({ name: "archive" }).name).toBe("taken");
    expect(problem({ url: "sgl.chu.fr" }).url).toBe("address");
    expect(problem({ url: "https:///{accession}" }).url).toBe("address");
    expect(problem({ url: "https://sgl.chu.fr/" }).url).toBe("place");
    expect(problem({ url: "https://sgl.chu.fr/{accession}/{accession}" }).url).toBe("place");
    expect(problem({ url: "https://sgl.chu.fr/{accession}/{x}" }).url).toBe("letters");
    expect(problem({ url: "https://sgl.chu.fr/é{accession}" }).url).toBe("letters");
    expect(problem({ url: "https://{accession}.chu.fr/" }).url).toBe("host");
    expect(problem({ url: "https://a@sgl.chu.fr/{accession}" }).url).toBe("host");
    expect(problem({ method: "POST", field: "n" }).url).toBe("noPlace");
    expect(problem({ method: "POST", url: "https://sgl.chu.fr/", field: "" }).field).toBe("field");
  });
});
