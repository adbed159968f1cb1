interface Amount {
  readonly amount: string;
}

/** Lengths of time, and how far two clocks are apart: with the direction in words, for a sign says nothing without its convention. */
export const durationsEn = {
  "duration.h_min": ({ h, min }: { readonly h: number; readonly min: number }) => `${h} h ${min} min`,
  "duration.min_s": ({ min, s }: { readonly min: number; readonly s: number }) => `${min} min ${s} s`,
  "duration.s": ({ s }: { readonly s: number }) => `${s} s`,
  "duration.about_min": ({ min }: { readonly min: number }) => `about ${min} min`,
  "duration.about_h": ({ h }: { readonly h: number }) => `about ${h} h`,
  "duration.about_days": ({ days }: { readonly days: number }) => `about ${days} days`,
  "clock.close": "within a second of WeChat Pay's clock",
  "clock.ahead": ({ amount }: Amount) => `${amount} ahead of WeChat Pay's clock`,
  "clock.behind": ({ amount }: Amount) => `${amount} behind WeChat Pay's clock`,
};
