// The patterns page follows the stream by refreshing its live parts.

import { live } from "../shell/live.js";
import { refresh } from "../shell/refresh.js";

live({ signal: refresh, case: refresh, resume: refresh });
