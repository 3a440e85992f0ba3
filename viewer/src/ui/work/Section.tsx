import { Loader } from "@mantine/core";
import type { ReactNode } from "react";

import { Notice } from "../shell/Notice";
import styles from "./work.module.css";

/** What a tab is about, in a sentence, and what can be added to it. */
export function Intro(props: { readonly text: string; readonly action?: ReactNode }) {
  return (
    <div className={styles.intro}>
      <p>{props.text}</p>
      {props.action}
    </div>
  );
}

/** While something is fetched, or when it could not be; null once it is there. */
export function Waiting(props: {
  readonly of: {
    readonly data: unknown;
    readonly error: Error | null;
    readonly isPending: boolean;
    readonly refetch: () => unknown;
  };
}) {
  const { data, error, isPending, refetch } = props.of;
  if (isPending) return <Loader color="dark.2" size="sm" className={styles.waiting} />;
  if (error && data === undefined) return <Notice error={error} onRetry={() => void refetch()} />;
  return null;
}
