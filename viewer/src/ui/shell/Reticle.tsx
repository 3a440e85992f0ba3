/** The graticule of an eyepiece: a field, a cross, a scale of ten by ten. The product's mark and its face. */
export function Reticle(props: { readonly className?: string | undefined }) {
  const ticks = Array.from({ length: 101 }, (_, index) => {
    const x = -100 + index * 2;
    const height = index % 10 === 0 ? 7 : index % 5 === 0 ? 4.6 : 2.6;
    return { x, height, index };
  });
  return (
    <svg className={props.className} viewBox="-160 -160 320 320" aria-hidden="true" focusable="false">
      <g fill="none" stroke="currentColor">
        <circle r="156" strokeWidth="0.6" />
        <circle r="152.5" strokeWidth="0.25" />
        <g strokeWidth="0.35">
          <path d="M-150 0H-108M108 0H150M0 -150V-18M0 18V150" />
          <path d="M-100 0H100" />
          {ticks.map(({ x, height, index }) => (
            <path key={index} d={`M${x} 0V${-height}`} />
          ))}
          {[30, 60, 90, 120].map((y) => (
            <path key={y} d={`M-3 ${y}H3M-3 ${-y}H3`} />
          ))}
        </g>
      </g>
      <g fill="currentColor" fontSize="5.4" textAnchor="middle">
        {ticks
          .filter(({ index }) => index % 10 === 0)
          .map(({ x, index }) => (
            <text key={index} x={x} y={-10.5}>
              {index}
            </text>
          ))}
      </g>
    </svg>
  );
}

export function Mark() {
  return (
    <svg width="22" height="22" viewBox="0 0 22 22" aria-hidden="true" focusable="false">
      <g fill="none" stroke="currentColor" strokeWidth="1.4" strokeLinecap="round">
        <circle cx="11" cy="11" r="7.6" />
        <path d="M1.2 11h19.6M11 8v6M7.2 9.5v3M14.8 9.5v3" />
      </g>
    </svg>
  );
}
