import type { TFunction } from "i18next";

import { ApiProblem } from "../../api/client";

/** What went wrong, in a sentence: the server's own where it gave one. */
export function sentenceFor(error: Error, t: TFunction): string {
  if (!(error instanceof ApiProblem)) return t("error.broken");
  if (error.isUnreachable) return t("error.unreachable");
  return error.detail ?? t("error.generic", { status: error.status });
}
