"""The hub's side of video: which pictures are wanted, the relays and eyes that provide them, and what became of it.

It decodes nothing and handles no RTP packet. It imports cameras, access, store and the ground floor, and of `relay` and
`eye` only their messages. Commands go down this list, reports come back up through relays/inbound:

    engine                    builds the parts in the order in which they need each other, and passes nothing through
    wall/page_connections     a page's WebSocket; what the page is told again after a reconnect
    wall/viewers, wall/whep   peer connections: offer, close, lookup (viewer_session)
    wall/tile_requests        a click runs straight: authorize → choose the stream → ensure the feed → bind the tile
      authorization · stream_selection (quality_adaptation) · tile_bindings
    wall/tile_updates         a tile's state becomes a message to its page (tile_state is pure; pages: outboxes)
    wall/tile_reports         what relays report of tiles, links and feeds; a tile that needs another stream gets one
    wall/audio                what a page hears · wall/reauthorization  rights and cameras that have changed
    decoders/                 eyes: pool and quarantine; looks, key-frame pictures for tiles, stored pictures
    rtsp_out/                 foreign players: admission by token, sessions and their register, ports
    feeds/feeds               leases → desired state (pure) → commands to relays
      feed_states · feed_reports · source_feedback · feed_recovery · camera_feeds (for other rooms) · key_frames ·
      feed_logins, login_permits · sub_stream_fallback · device_limits
    relays/link               where commands for a relay go, while its processes come and go
      supervisor · process · watchdog (who must be replaced) · handover · inbound (what relays report)
"""
