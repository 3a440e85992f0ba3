import type { ReactNode } from "react";

/** Line icons on a grid of 20, drawn for this application; always beside or inside a named control. */
function Icon(props: { readonly children: ReactNode }) {
  return (
    <svg
      width="20"
      height="20"
      viewBox="0 0 20 20"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      {props.children}
    </svg>
  );
}

export const BackIcon = () => (
  <Icon>
    <path d="M12 4.5 6.5 10l5.5 5.5" />
  </Icon>
);

export const SearchIcon = () => (
  <Icon>
    <circle cx="9" cy="9" r="5" />
    <path d="m13 13 3.5 3.5" />
  </Icon>
);

export const CloseIcon = () => (
  <Icon>
    <path d="m5.5 5.5 9 9m0-9-9 9" />
  </Icon>
);

export const ColdIcon = () => (
  <Icon>
    <path d="M10 2.5v15M3.5 6.25l13 7.5m0-7.5-13 7.5" />
    <path d="M7.8 4.2 10 6l2.2-1.8M7.8 15.8 10 14l2.2 1.8" />
  </Icon>
);

export const RotateRightIcon = () => (
  <Icon>
    <path d="M15.2 7.2A6 6 0 1 0 16 10" />
    <path d="M15.6 3.6v3.8h-3.8" />
  </Icon>
);

export const RotateLeftIcon = () => (
  <Icon>
    <path d="M4.8 7.2A6 6 0 1 1 4 10" />
    <path d="M4.4 3.6v3.8h3.8" />
  </Icon>
);

export const MirrorIcon = () => (
  <Icon>
    <path d="M10 3v14" strokeDasharray="1.5 2.6" />
    <path d="M7.2 6v8H2.8zM12.8 6v8h4.4z" />
  </Icon>
);

export const FullScreenIcon = () => (
  <Icon>
    <path d="M7.5 3.5h-4v4m9-4h4v4m-4 9h4v-4m-9 4h-4v-4" />
  </Icon>
);

export const LeaveFullScreenIcon = () => (
  <Icon>
    <path d="M3.5 7.5h4v-4m9 4h-4v-4m0 13v-4h4m-13 0h4v4" />
  </Icon>
);

export const HelpIcon = () => (
  <Icon>
    <rect x="2.5" y="5" width="15" height="10" rx="1.5" />
    <path d="M5.5 8h.01M8.5 8h.01M11.5 8h.01M14.5 8h.01M6.5 12h7" />
  </Icon>
);

export const PanelIcon = () => (
  <Icon>
    <rect x="3" y="4" width="14" height="12" rx="1.5" />
    <path d="M12 4v12" />
  </Icon>
);

export const SignOutIcon = () => (
  <Icon>
    <path d="M11.5 4h-7v12h7M8.5 10h8m-2.8-2.8L16.5 10l-2.8 2.8" />
  </Icon>
);

export const WarningIcon = () => (
  <Icon>
    <path d="M10 3.8 17 16H3zM10 8.5v3.4M10 14h.01" />
  </Icon>
);

export const DamageIcon = () => (
  <Icon>
    <path d="M3 5.5h14v9H3zM11.2 5.5 8.8 9l2.6 2-2 3.5" />
  </Icon>
);

export const ZoomInIcon = () => (
  <Icon>
    <path d="M10 5v10M5 10h10" />
  </Icon>
);

export const ZoomOutIcon = () => (
  <Icon>
    <path d="M5 10h10" />
  </Icon>
);

export const CheckIcon = () => (
  <Icon>
    <path d="m4.5 10.5 3.8 3.8 7.4-8.1" />
  </Icon>
);

/** A slide that goes round again. */
export const RescanIcon = () => (
  <Icon>
    <path d="M15.6 12.8a6.2 6.2 0 0 1-11.3-.6M4.4 7.2a6.2 6.2 0 0 1 11.3.6" />
    <path d="M16.2 4.2v3.8h-3.8M3.8 15.8V12h3.8" />
  </Icon>
);

/** Three lights that overlap. */
export const ChannelsIcon = () => (
  <Icon>
    <circle cx="10" cy="7.4" r="3.9" />
    <circle cx="7.3" cy="12.2" r="3.9" />
    <circle cx="12.7" cy="12.2" r="3.9" />
  </Icon>
);

/** Tissue of which a part is hatched. */
export const FocusMapIcon = () => (
  <Icon>
    <rect x="3" y="4" width="14" height="12" rx="1.5" />
    <path d="M10 4v12M10 8.5 14.5 4M10 13l7-7M11.5 16l5.5-5.5" />
  </Icon>
);

export const EyeIcon = () => (
  <Icon>
    <path d="M2.8 10S5.4 5.2 10 5.2s7.2 4.8 7.2 4.8-2.6 4.8-7.2 4.8S2.8 10 2.8 10z" />
    <circle cx="10" cy="10" r="2.1" />
  </Icon>
);

export const EyeOffIcon = () => (
  <Icon>
    <path d="M3.2 8.4S5.6 12.4 10 12.4s6.8-4 6.8-4M4.9 11 3.4 12.7M10 12.4v2.3M15.1 11l1.5 1.7" />
  </Icon>
);

export const OnlyIcon = () => (
  <Icon>
    <circle cx="10" cy="10" r="6" strokeDasharray="2 2.7" />
    <circle cx="10" cy="10" r="2" fill="currentColor" />
  </Icon>
);

export const ResetIcon = () => (
  <Icon>
    <path d="M5.2 6.4A6 6 0 1 1 4 10" />
    <path d="M4.4 3.2v3.6H8" />
  </Icon>
);

export const UpIcon = () => (
  <Icon>
    <path d="M5.5 12 10 7.5l4.5 4.5" />
  </Icon>
);

export const DownIcon = () => (
  <Icon>
    <path d="M5.5 8 10 12.5 14.5 8" />
  </Icon>
);

/** The clock of a frozen section. */
export const ClockIcon = () => (
  <Icon>
    <circle cx="10" cy="10.5" r="6.5" />
    <path d="M10 6.8v3.9l2.6 1.6M8 2.5h4" />
  </Icon>
);

export const UrgentIcon = () => (
  <Icon>
    <path d="m5.5 9.5 4.5-4.5 4.5 4.5M5.5 15l4.5-4.5 4.5 4.5" />
  </Icon>
);

export const SoonIcon = () => (
  <Icon>
    <path d="m5.5 12.5 4.5-4.5 4.5 4.5" />
  </Icon>
);

export const PersonIcon = () => (
  <Icon>
    <circle cx="10" cy="7" r="3" />
    <path d="M4.2 16.5c.6-3.2 2.8-4.8 5.8-4.8s5.2 1.6 5.8 4.8" />
  </Icon>
);

export const GroupIcon = () => (
  <Icon>
    <circle cx="7.5" cy="7.4" r="2.6" />
    <path d="M2.6 15.8c.5-2.9 2.3-4.2 4.9-4.2s4.4 1.3 4.9 4.2" />
    <path d="M12.4 5.1a2.5 2.5 0 0 1 .2 4.7M14.4 12c1.6.6 2.7 1.8 3 3.8" />
  </Icon>
);

/** Out of this application, into another. */
export const LeaveIcon = () => (
  <Icon>
    <path d="M8.5 5h-4v10.5H15v-4M11.5 4H16v4.5M16 4l-7 7" />
  </Icon>
);

export const ForwardIcon = () => (
  <Icon>
    <path d="M8 4.5l5.5 5.5L8 15.5" />
  </Icon>
);

/** A glass slide: label at one end. */
export const GlassIcon = () => (
  <Icon>
    <rect x="2.5" y="6" width="15" height="8" rx="1" />
    <path d="M7 6v8" />
  </Icon>
);

export const UnknownIcon = () => (
  <Icon>
    <circle cx="10" cy="10" r="6.8" />
    <path d="M8 8.2c.1-1.3 1-2 2.1-2s2 .7 2 1.8c0 1.5-2.1 1.6-2.1 3.2M10 13.6h.01" />
  </Icon>
);

export const PauseIcon = () => (
  <Icon>
    <circle cx="10" cy="10" r="6.8" />
    <path d="M8.2 7.4v5.2M11.8 7.4v5.2" />
  </Icon>
);

export const ListIcon = () => (
  <Icon>
    <path d="M7 5.5h9.5M7 10h9.5M7 14.5h9.5M3.5 5.5h.01M3.5 10h.01M3.5 14.5h.01" />
  </Icon>
);

export const FilterIcon = () => (
  <Icon>
    <path d="M5.5 3.5h9v13L10 13l-4.5 3.5z" />
  </Icon>
);

export const ReportIcon = () => (
  <Icon>
    <path d="M5 2.8h7l3.5 3.5v11H5zM12 2.8v3.5h3.5M7.5 10h5.5M7.5 13h5.5" />
  </Icon>
);
