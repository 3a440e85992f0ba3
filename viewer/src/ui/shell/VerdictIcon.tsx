import type { Verdict } from "../../core/quality";
import { CheckIcon, RescanIcon, WarningIcon } from "./icons";

/** A shape of its own for each verdict: none is told by colour alone. */
export function VerdictIcon(props: { readonly verdict: Verdict }) {
  if (props.verdict === "pass") return <CheckIcon />;
  return props.verdict === "look" ? <WarningIcon /> : <RescanIcon />;
}
