import { Loader, Tabs } from "@mantine/core";
import { Suspense, type ReactNode } from "react";

import styles from "./TabbedPage.module.css";

/** One side of a page. */
export interface PageTab {
  /** In the address: `?tab=<id>`. */
  readonly id: string;
  readonly title: string;
  /** How many things there want a person; none is shown where it is 0. */
  readonly wanted?: number;
  readonly content: ReactNode;
}

/** A page of an administrator's: its title, its sides, and the one that is looked at. */
export function TabbedPage(props: {
  /** Begins the names by which tests find the page and its tabs. */
  readonly name: string;
  readonly title: string;
  readonly tabs: readonly PageTab[];
  readonly chosen: string;
  readonly onChoose: (id: string) => void;
  /** For tables of many columns. */
  readonly wide?: boolean;
}) {
  const { name, title, tabs } = props;
  return (
    <main className={styles.main} data-wide={props.wide} data-testid={name}>
      <h1 className={styles.title}>{title}</h1>
      <Tabs
        value={props.chosen}
        onChange={(id) => props.onChoose(id ?? "")}
        keepMounted={false}
        classNames={{ list: styles.list ?? "", tab: styles.tab ?? "" }}
      >
        <Tabs.List aria-label={title}>
          {tabs.map((tab) => (
            <Tabs.Tab key={tab.id} value={tab.id} data-testid={`${name}-tab-${tab.id}`}>
              {tab.title}
              {(tab.wanted ?? 0) > 0 && <span className={styles.badge}>{tab.wanted}</span>}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {tabs.map((tab) => (
          <Tabs.Panel key={tab.id} value={tab.id}>
            <Suspense fallback={<Loader color="dark.2" size="sm" className={styles.waiting} />}>
              {tab.content}
            </Suspense>
          </Tabs.Panel>
        ))}
      </Tabs>
    </main>
  );
}
