import { useCase } from "../../api/cases";
import { useSlideAttachments } from "../../api/identification";
import type { Session } from "../../api/types";

/** Which glass a slide is of, and the case of that glass; both take a moment to be known. */
export function useSlideCase(slide: string, session: Session) {
  // A guest knows one case, and what slides were attached to is none of theirs.
  const own = session.case_id ?? null;
  const may = session.permissions.includes("view_cases");
  const attachments = useSlideAttachments(slide, may && own === null);
  const living = attachments.data?.items.find((each) => each.undone_at === null) ?? null;
  const found = useCase(may ? (own ?? living?.case_id ?? null) : null);
  return { living, isUnidentified: attachments.isSuccess && !living, shown: found.data ?? null };
}
