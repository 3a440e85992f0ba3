import type { TFunction } from "i18next";

import { isInsCode } from "../../core/scanned";

/** A code as it is shown: a patient's own is named, never spelt out. */
export function codeText(code: string, t: TFunction): string {
  return isInsCode(code) ? t("identify.insCode") : code;
}
