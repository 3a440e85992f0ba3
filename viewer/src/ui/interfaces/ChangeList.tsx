import { useTranslation } from "react-i18next";

import type { Change } from "../../api/interfaces";
import { sumChanges } from "../../core/interfaces";

/** What a message changed, in one line. */
export function ChangeList(props: { readonly changes: readonly Change[] }) {
  const words = useChangeWords();
  return <>{sumChanges(props.changes).map(({ what, count }) => words(what, count)).join(", ")}</>;
}

/** "new slide", "3 new slides": a code of the server in words; one not known stays as it is. */
export function useChangeWords(): (what: string, count: number) => string {
  const { t } = useTranslation();
  return (what, count) =>
    t(`interfaces.change.${what.replace(".", "_") as "case_new"}`, { count, defaultValue: what });
}
