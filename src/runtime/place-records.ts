/**
 * Records of the places whose kept connections misbehaved. A place is what a connection leads to: address and port, with TLS
 * also the name and the authority. Pure, over times that are handed in.
 */

export interface PlaceRecords {
  /** True while no connection to this place may be kept. */
  isDistrusted(place: string, now: number): boolean;
  /** Notes that the place sent bytes that no request asked for. @returns whether it was trusted until now */
  distrust(place: string, now: number): boolean;
  /** The part of the usual time for which a connection to this place is kept, from 1 down to `leastShare`. */
  keptShare(place: string, now: number): number;
  /**
   * Notes that a kept connection had ended when a request was sent on it.
   * @param share the share under which that connection was kept: one from before the last halving tells nothing new
   */
  noteStale(place: string, share: number, now: number): void;
}

interface PlaceRecord {
  /** Times in milliseconds of the clock that is handed in. */
  distrustedUntil: number;
  share: number;
  /** Stale connections since the last halving. */
  stale: number;
  staleUntil: number;
}

/** An answer that no request asked for may be followed by others, and the next caller would get one as its own. */
const distrustMs = 5 * 60_000;
/** A place that changed its time limit, or was restarted, gets the usual time again. */
const staleMs = 60 * 60_000;
/** Stale connections of one place that halve the time for which its connections are kept. */
const staleLimit = 2;
const leastShare = 1 / 16;
/** Records that are kept; a new one takes the room of the oldest. */
const maxRecords = 1024;

export function createPlaceRecords(): PlaceRecords {
  const records = new Map<string, PlaceRecord>();

  function recordOf(place: string): PlaceRecord {
    const known = records.get(place);
    if (known !== undefined) return known;
    const record = { distrustedUntil: 0, share: 1, stale: 0, staleUntil: 0 };
    records.set(place, record);
    const [oldest] = records.keys();
    if (records.size > maxRecords && oldest !== undefined) records.delete(oldest);
    return record;
  }

  function shareOf(record: PlaceRecord | undefined, now: number): number {
    return record === undefined || now >= record.staleUntil ? 1 : record.share;
  }

  return {
    isDistrusted: (place, now) => now < (records.get(place)?.distrustedUntil ?? 0),
    distrust(place, now) {
      const record = recordOf(place);
      const isNew = now >= record.distrustedUntil;
      record.distrustedUntil = now + distrustMs;
      return isNew;
    },
    keptShare: (place, now) => shareOf(records.get(place), now),
    noteStale(place, share, now) {
      const record = recordOf(place);
      if (now >= record.staleUntil) {
        record.share = 1;
        record.stale = 0;
      }
      if (share > record.share) return;
      record.staleUntil = now + staleMs;
      if (++record.stale < staleLimit) return;
      record.stale = 0;
      record.share = Math.max(leastShare, record.share / 2);
    },
  };
}
