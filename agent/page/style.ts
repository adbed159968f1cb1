import { createHash } from "node:crypto";

/** The one style sheet: for a phone of 360 px and for a kiosk of 1080 x 1920, light and dark. Nothing is larger than the first remedy. */
export const STYLE = `
:root{color-scheme:light dark;--bg:#f4f5f7;--card:#fff;--text:#1b1f24;--dim:#59636e;--line:#d1d9e0;--good:#116329;--warn:#7d4e00;--bad:#b3141c;--tint-good:#e6f6ea;--tint-warn:#fff4d6;--tint-bad:#ffebe9;--accent:#0a5cc2;font:clamp(16px,12px + 1vw,24px)/1.5 system-ui,"Noto Sans CJK SC","Noto Sans SC","PingFang SC","Microsoft YaHei",sans-serif}
@media(prefers-color-scheme:dark){:root{--bg:#0d1117;--card:#161b22;--text:#e6edf3;--dim:#9da7b3;--line:#3d444d;--good:#56d364;--warn:#e3b341;--bad:#ff7b72;--tint-good:#0f2a17;--tint-warn:#2f2508;--tint-bad:#3a1214;--accent:#6cb6ff}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--text);overflow-wrap:anywhere}
main,header,footer{max-width:64rem;margin:0 auto;padding:0 .8rem}
header{display:flex;flex-wrap:wrap;gap:0 1rem;align-items:baseline;padding-top:.6rem;color:var(--dim);font-size:.875rem}
header b{color:var(--text)}
header nav{margin-left:auto}
a{color:var(--accent)}
section{background:var(--card);border:1px solid var(--line);border-radius:.6rem;padding:.8rem;margin:.8rem 0}
h1,h2,h3{line-height:1.3;margin:0}
h1{font-size:1.3rem}
h2{font-size:1.1rem;margin-bottom:.4rem}
h3{font-size:1rem;margin-top:.8rem}
p{margin:.3rem 0}
pre{margin:.4rem 0;padding:.4rem .6rem;border:1px solid var(--line);border-radius:.4rem;background:var(--bg);color:var(--text);font:.9em/1.4 ui-monospace,"DejaVu Sans Mono",monospace;white-space:pre-wrap;user-select:all}
.good{color:var(--good)}.warn{color:var(--warn)}.bad{color:var(--bad)}.dim{color:var(--dim)}
.verdict{border-width:2px;border-left-width:.6rem}
.verdict.good{border-color:var(--good);background:var(--tint-good)}
.verdict.warn{border-color:var(--warn);background:var(--tint-warn)}
.verdict.bad{border-color:var(--bad);background:var(--tint-bad)}
.verdict>*{color:var(--text)}
.verdict h1{color:inherit}
.verdict.good h1{font-size:clamp(1.5rem,5vw,2.2rem)}
.first{font-size:clamp(1.4rem,5vw,2.2rem);line-height:1.35;font-weight:600}
.first pre{font-size:.7em;font-weight:400}
dl{display:grid;grid-template-columns:minmax(6rem,max-content) 1fr;gap:.15rem 1rem;margin:0}
dt{color:var(--dim);grid-column:1}
dd{margin:0;min-width:0;grid-column:-2}
dd p{margin:0}
@media(max-width:480px){dl{grid-template-columns:1fr;gap:0}dt,dd{grid-column:1}dt{margin-top:.5rem;font-size:.875rem}}
.lane{margin-top:.7rem}
.lane svg{display:block;width:100%;background:var(--bg);border:1px solid var(--line)}
.axis{display:flex;justify-content:space-between;color:var(--dim);font-size:.8rem}
.fill-life{fill:var(--accent);fill-opacity:.45}.fill-none{fill:var(--bad);fill-opacity:.3}.fill-bad{fill:var(--bad)}.fill-read{fill:var(--accent)}.fill-unknown{fill:var(--dim);fill-opacity:.25}
.tick-ok,.tick-bad{fill:none;stroke-width:2;vector-effect:non-scaling-stroke}.tick-ok{stroke:var(--good)}.tick-bad{stroke:var(--bad)}
.actions{display:flex;flex-wrap:wrap;gap:.6rem;align-items:center}
form{margin:0}
button,.button{display:inline-block;font:inherit;padding:.5rem 1rem;border:1px solid var(--accent);border-radius:.5rem;background:var(--card);color:var(--accent);text-decoration:none;cursor:pointer}
button:disabled{border-color:var(--line);color:var(--dim);cursor:default}
ul{list-style:none;margin:.3rem 0;padding:0}
li{padding:.25rem 0;border-top:1px solid var(--line)}
summary{cursor:pointer;padding:.25rem 0}
time{font-variant-numeric:tabular-nums}
footer{color:var(--dim);font-size:.875rem;padding-bottom:1rem}
`.replaceAll("\n", "");

/** For the policy: no other style applies, wherever it may come from. */
export const STYLE_HASH = createHash("sha256").update(STYLE).digest("base64");
